//! How text for people is laid out: tables and lines that fit a terminal of [`COLUMNS`] columns, whatever stands in
//! them. Nothing is shortened, so that what is read is what is there; numbers are not broken while there is room.

use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, LineStyle, Table, TableStyle};

/// Columns of a terminal that every table and every laid out line fits.
pub(crate) const COLUMNS: u16 = 100;
/// Columns of a table that its text keeps however wide its numbers are.
const TEXT_COLUMNS_MIN: u16 = 40;
/// Columns beside the content of a cell.
const PADDING: u16 = 2;
/// How much further than its beginning a long line goes on, in columns.
const HANGING: usize = 2;

/// A table: columns after `left` are numbers, set to the right; long texts go on in further lines of their cell.
pub(crate) fn table(header: &[&str], left: usize, rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    let line = LineStyle::none().fill('─').junction('─');
    let style = TableStyle::new().header_separator(line).bottom_border(line);
    table.load_style(style).set_content_arrangement(ContentArrangement::Dynamic).set_width(COLUMNS);
    table.set_header(header.iter().copied());
    for row in rows {
        table.add_row(row);
    }
    let widths = table.column_max_content_widths();
    let of_numbers =
        widths.iter().skip(left).fold(0_u16, |sum, width| sum.saturating_add(*width).saturating_add(PADDING));
    let have_room = of_numbers.saturating_add(TEXT_COLUMNS_MIN) <= COLUMNS;
    for column in table.column_iter_mut().skip(left) {
        column.set_cell_alignment(CellAlignment::Right);
        if have_room {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
    lines_of(&table).join("\n")
}

/// The text with every line that is too long broken at spaces, or within a word where there are none. What follows is
/// set in two columns further than the line begins.
pub(crate) fn fit(text: &str) -> String {
    let mut fitted = String::with_capacity(text.len());
    for line in text.lines() {
        let content = line.trim_start();
        let indent = line.len().saturating_sub(content.len());
        for (number, part) in broken(content, indent).into_iter().enumerate() {
            let hanging = if number == 0 { indent } else { indent.saturating_add(HANGING) };
            fitted.extend(std::iter::repeat_n(' ', hanging));
            fitted.push_str(&part);
            fitted.push('\n');
        }
    }
    fitted
}

/// A line as it is where it fits beside `indent` columns, else parts that fit even if they are set in further.
fn broken(content: &str, indent: usize) -> Vec<String> {
    let mut table = Table::new();
    table.load_style(TableStyle::new()).set_content_arrangement(ContentArrangement::Dynamic);
    table.add_row([content]);
    let room = COLUMNS.saturating_sub(u16::try_from(indent).unwrap_or(u16::MAX));
    if table.column_max_content_widths().iter().all(|width| *width <= room) {
        return vec![content.to_owned()];
    }
    let hanging = u16::try_from(HANGING).unwrap_or(u16::MAX);
    table.set_width(room.saturating_sub(hanging).max(TEXT_COLUMNS_MIN));
    for column in table.column_iter_mut() {
        column.set_padding((0, 0));
    }
    lines_of(&table)
}

fn lines_of(table: &Table) -> Vec<String> {
    table.to_string().lines().map(|line| line.trim_end().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(text: &str) -> bool {
        text.lines().all(|line| line.chars().count() <= usize::from(COLUMNS))
    }

    /// What stands in the lines, without the spaces that the layout put there.
    fn without_spaces(text: &str) -> String {
        text.split_whitespace().collect()
    }

    #[test]
    fn tables_fit_and_keep_every_character() {
        let long = format!("identity:git:{}", "0123456789abcdef".repeat(4));
        let numbers = ["123.456", "77", "79228162514264337593543950335"].map(str::to_owned);
        let row = |first: &str| [&[first.to_owned()][..], &numbers[..]].concat();
        let text = table(&["claimant", "units", "events", "credits"], 1, [row(&long), row("user:1")]);
        assert!(fits(&text), "{text}");
        for number in &numbers {
            let shown = text.lines().filter(|line| line.contains(number.as_str())).count();
            assert_eq!(shown, 2, "{number} is not broken: {text}");
        }
        let first_column: String = text.lines().skip(2).take(2).filter_map(|line| line.get(1..50)).collect();
        assert!(without_spaces(&first_column).starts_with("identity:git:0123456789abcdef"), "{text}");
        let narrow = table(&["a", "b"], 1, [vec!["x".to_owned(), "5".to_owned()]]);
        assert_eq!(narrow, " a   b\n───────\n x   5\n───────");
        let wide = vec![long, "1".repeat(40), "2".repeat(40), "3".repeat(40)];
        let text = table(&["claimant", "before", "now", "difference"], 1, [wide]);
        assert!(fits(&text), "{text}");
    }

    #[test]
    fn lines_fit_and_keep_every_character() {
        for text in [
            "short".to_owned(),
            format!("      by operator on a day: {}", "a reason of many words, ".repeat(40).trim_end()),
            format!(" {}", "0123456789abcdef".repeat(20)),
            format!("{}end", " ".repeat(120)),
        ] {
            let fitted = fit(&text);
            assert!(fits(&fitted) || text.starts_with("   "), "{fitted}");
            assert_eq!(without_spaces(&fitted), without_spaces(&text));
        }
        let fitted = fit(&format!("    {}", "word ".repeat(30)));
        let second = fitted.lines().nth(1).expect("a second line");
        assert!(second.starts_with("      word"), "{fitted}");
        assert_eq!(fit("a\n\n  b\n"), "a\n\n  b\n");
    }
}
