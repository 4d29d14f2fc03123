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
pub(super) const SHARES_MAX: usize = 12;

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

/// Who gets which part of a sum, as one bar cut into pieces: the largest, which come first in `largest`, and one piece
/// for all others of `count`.
pub(super) fn shares(title: &str, largest: &[(String, u128)], count: u64, total: u128) -> Markup {
    let mut pieces: Vec<(String, u128)> =
        largest.iter().filter(|(_, value)| *value > 0).take(SHARES_MAX).cloned().collect();
    let shown = pieces.iter().fold(0_u128, |sum, (_, value)| sum.saturating_add(*value));
    let rest = total.saturating_sub(shown);
    if rest > 0 {
        let others = count.saturating_sub(u64::try_from(pieces.len()).unwrap_or(u64::MAX));
        pieces.push((format!("{others} others"), rest));
    }
    html! {
        figure class="chart shares" {
            svg viewBox={ "0 0 " (SHARE_WIDTH) " " (SHARE_HEIGHT) } preserveAspectRatio="none" role="img" aria-label=(title) {
                @for (place, (left, name, value)) in placed(&pieces, total).into_iter().enumerate() {
                    rect class={ "piece piece-" (place % 6) } x=(left) y="0" width=(part(value, total, SHARE_WIDTH)) height=(SHARE_HEIGHT) {
                        title { (name) ": " (percent(value, total)) }
                    }
                }
            }
            figcaption { (title) }
        }
    }
}

/// Pieces with where each begins.
fn placed(pieces: &[(String, u128)], total: u128) -> Vec<(u128, &str, u128)> {
    let mut left = 0_u128;
    let mut placed = Vec::with_capacity(pieces.len());
    for (name, value) in pieces {
        placed.push((left, name.as_str(), *value));
        left = left.saturating_add(part(*value, total, SHARE_WIDTH));
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

/// A part of a sum in percent with one decimal, rounded down.
pub(super) fn percent(value: u128, total: u128) -> String {
    let tenths = part(value, total, 1_000);
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
        assert_eq!(percent(0, 0), "0.0\u{a0}%");
        assert_eq!(percent(5, 5), "100.0\u{a0}%");
    }

    #[test]
    fn names_are_text_and_never_markup() {
        let picture = shares("who", &[("<script>".to_owned(), 3), ("b".to_owned(), 1)], 2, 4).into_string();
        assert!(
            picture.contains("&lt;script&gt;: 75.0\u{a0}%") && !picture.contains("<script>"),
            "{picture}"
        );
    }

    #[test]
    fn those_who_are_not_shown_are_one_piece() {
        let largest: Vec<(String, u128)> = (0..20).map(|number| (format!("name-{number}"), 2)).collect();
        let picture = shares("who", &largest, 1_000, 100).into_string();
        assert!(picture.contains("988 others: 76.0\u{a0}%") && !picture.contains("name-12"), "{picture}");
    }
}
