//! What somebody may have meant who wrote a name that there is not.

/// One wrong letter is forgiven in so many.
const LETTERS_PER_MISTAKE: usize = 3;

/// The name that is nearest to `written`, where one is near enough: with one letter in three added, left out, changed
/// or swapped with the next. Of equally near ones the first.
pub(crate) fn nearest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let most = (written.chars().count() / LETTERS_PER_MISTAKE).max(1);
    let distances = known.into_iter().map(|name| (strsim::osa_distance(written, name), name));
    let (distance, name) = distances.min_by_key(|(distance, _)| *distance)?;
    (distance <= most && distance > 0).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn what_is_near_is_found_and_nothing_else() {
        let known = ["default", "design", "shop"];
        for (written, meant) in [
            ("defalt", Some("default")),
            ("dafeult", Some("default")),
            ("shpo", Some("shop")),
            ("shops", Some("shop")),
            ("desgin", Some("design")),
            ("shop", None),
            ("x", None),
            ("something", None),
        ] {
            assert_eq!(nearest(written, known), meant, "{written}");
        }
        assert_eq!(nearest("a", []), None);
        assert_eq!(nearest("b", ["a"]), Some("a"));
    }
}
