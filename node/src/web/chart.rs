//! Pictures: plain SVG with attributes only, each with the same numbers in words or in a table beside it.

use maud::{Markup, html};

/// The height of a chart, in its own units.
const HEIGHT: u128 = 120;
/// The width of one bar with its gap.
const STEP: usize = 28;
const BAR: usize = 20;
/// The width of a share picture; shares are drawn in thousandths of it.
const SHARE_WIDTH: u128 = 1_000;
const SHARE_HEIGHT: usize = 36;
/// How many people a share picture shows one by one.
pub(super) const SHARES_MAX: usize = 8;

/// One bar: what it is called, how high it is, and how its state is named.
pub(super) struct Bar {
    pub(super) name: String,
    pub(super) value: u128,
    pub(super) words: String,
    pub(super) class: String,
    pub(super) link: String,
}

/// Bars beside each other, the highest as high as the chart.
pub(super) fn bars(title: &str, bars: &[Bar]) -> Markup {
    let highest = bars.iter().map(|bar| bar.value).max().unwrap_or(0).max(1);
    let width = bars.len().max(1).saturating_mul(STEP);
    let total_height = HEIGHT.saturating_add(20);
    html! {
        figure class="chart" {
            svg viewBox={ "0 0 " (width) " " (total_height) } width=(width) height=(total_height) role="img" aria-label=(title) {
                @for (place, bar) in bars.iter().enumerate() {
                    @let height = part(bar.value, highest, HEIGHT).max(2);
                    @let x = place.saturating_mul(STEP);
                    a href=(bar.link) {
                        rect class=(bar.class) x=(x) y=(HEIGHT.saturating_sub(height)) width=(BAR) height=(height) {
                            title { (bar.words) }
                        }
                        text x=(x.saturating_add(BAR / 2)) y=(HEIGHT.saturating_add(15)) text-anchor="middle" { (bar.name) }
                    }
                }
            }
            figcaption { (title) }
        }
    }
}

/// Who gets which part of a sum, as one bar cut into pieces with a legend below it: the largest, which come first in
/// `largest`, and one piece for all others of `count`. `show` writes an amount.
pub(super) fn shares(
    title: &str,
    largest: &[(String, u128)],
    (count, total): (u64, u128),
    show: impl Fn(u128) -> String,
) -> Markup {
    let mut pieces: Vec<(String, u128)> =
        largest.iter().filter(|(_, value)| *value > 0).take(SHARES_MAX).cloned().collect();
    let shown = pieces.iter().fold(0_u128, |sum, (_, value)| sum.saturating_add(*value));
    let rest = total.saturating_sub(shown);
    if rest > 0 {
        let others = count.saturating_sub(u64::try_from(pieces.len()).unwrap_or(u64::MAX));
        pieces.push((counted_others(others), rest));
    }
    let words =
        |(name, value): &(String, u128)| format!("{name}: {}, {}", show(*value), percent(*value, total));
    let all: Vec<String> = pieces.iter().map(words).collect();
    html! {
        figure class="chart shares" {
            svg viewBox={ "0 0 " (SHARE_WIDTH) " " (SHARE_HEIGHT) } preserveAspectRatio="none" role="img"
                aria-label={ (title) ". " (all.join("; ")) } {
                @for (place, (left, width)) in placed(&pieces, total).into_iter().enumerate() {
                    rect class={ "piece " (color(place)) } x=(left) y="0" width=(width) height=(SHARE_HEIGHT) {
                        title { (all.get(place).map_or("", String::as_str)) }
                    }
                }
            }
            figcaption { (title) }
            ul class="legend" {
                @for (place, (name, value)) in pieces.iter().enumerate() {
                    li {
                        svg class="swatch" viewBox="0 0 1 1" aria-hidden="true" {
                            rect class=(color(place)) width="1" height="1" {}
                        }
                        span { span class="key" { (name) } " " (show(*value)) ", " (percent(*value, total)) }
                    }
                }
            }
        }
    }
}

fn counted_others(others: u64) -> String {
    let noun = if others == 1 { "other" } else { "others" };
    format!("{others} {noun}")
}

/// The class of a piece that is drawn at a place: each has a color of its own, also the last one for all others.
fn color(place: usize) -> String {
    format!("piece-{place}")
}

/// Where each piece begins and how wide it is. Ends are rounded, not widths, so that the pieces fill the whole.
fn placed(pieces: &[(String, u128)], total: u128) -> Vec<(u128, u128)> {
    let (mut sum, mut left) = (0_u128, 0_u128);
    let mut placed = Vec::with_capacity(pieces.len());
    for (_, value) in pieces {
        sum = sum.saturating_add(*value);
        let right = part(sum, total, SHARE_WIDTH);
        placed.push((left, right.saturating_sub(left)));
        left = right;
    }
    placed
}

/// `value / of` of `whole`, for drawing; a picture may be off by less than one of its units.
fn part(value: u128, of: u128, whole: u128) -> u128 {
    if of == 0 {
        return 0;
    }
    // Sums of credits stay far below 2^127, and what is drawn is small; where they do not, the picture is cut off.
    match value.checked_mul(whole) {
        Some(product) => product / of,
        None => (value / of.div_ceil(whole).max(1)).min(whole),
    }
}

/// About how much of a sum a part is, in percent with one decimal, halves rounded up: for the eye, since such numbers
/// need not sum to 100.
pub(super) fn percent(value: u128, total: u128) -> String {
    let tenths = match value.checked_mul(1_000).and_then(|product| product.checked_add(total / 2)) {
        Some(product) => product.checked_div(total).unwrap_or(0),
        None => part(value, total, 1_000),
    };
    if tenths == 0 && value > 0 {
        return "below\u{a0}0.1\u{a0}%".to_owned();
    }
    format!("{}.{}\u{a0}%", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_stay_within_the_whole() {
        let most = (1_u128 << 127) - 1;
        for (value, of) in [(0, 0), (0, 7), (3, 7), (7, 7), (most, most), (most / 2, most)] {
            assert!(part(value, of, 1_000) <= 1_000, "{value} of {of}");
        }
        assert_eq!(percent(1, 3), "33.3\u{a0}%");
        assert_eq!(percent(2, 3), "66.7\u{a0}%", "rounded, and not cut off");
        assert_eq!(
            (percent(1, 2_000), percent(1, 2_001)),
            ("0.1\u{a0}%".to_owned(), "below\u{a0}0.1\u{a0}%".to_owned())
        );
        assert_eq!(percent(0, 0), "0.0\u{a0}%");
        assert_eq!(percent(5, 5), "100.0\u{a0}%");
    }

    #[test]
    fn names_are_text_and_never_markup() {
        let two = [("<script>".to_owned(), 3), ("b".to_owned(), 1)];
        let picture = shares("who", &two, (2, 4), |value| format!("{value} EUR")).into_string();
        assert!(picture.contains("&lt;script&gt;: 3 EUR, 75.0\u{a0}%"), "{picture}");
        assert!(!picture.contains("<script>"), "{picture}");
    }

    #[test]
    fn pieces_fill_the_bar() {
        let pieces: Vec<(String, u128)> = (0..7).map(|number| (number.to_string(), 1)).collect();
        let placed = placed(&pieces, 7);
        assert_eq!(placed.iter().map(|(_, width)| width).sum::<u128>(), SHARE_WIDTH);
        assert!(placed.windows(2).all(|pair| pair[0].0 + pair[0].1 == pair[1].0), "{placed:?}");
    }

    #[test]
    fn those_who_are_not_shown_are_one_piece() {
        let largest: Vec<(String, u128)> = (0..20).map(|number| (format!("name-{number}"), 2)).collect();
        let picture = shares("who", &largest, (1_000, 100), |value| value.to_string()).into_string();
        assert!(picture.contains("992 others: 84, 84.0\u{a0}%") && !picture.contains("name-8"), "{picture}");
        assert_eq!(picture.matches("class=\"swatch\"").count(), SHARES_MAX + 1, "the legend has every piece");
    }
}
