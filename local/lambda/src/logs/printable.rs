//! What a function wrote, in a form that a terminal shows and does not obey.

use anstream::adapter::strip_str;

/// The text without escape sequences, its other control characters as spaces; tabs stay.
///
/// A function's words may come from anywhere. Obeyed, they could clear the screen, forge lines or
/// leave the terminal unreadable.
pub(super) fn printable(text: &str) -> String {
    let shown = strip_str(text).to_string();
    let shown = shown.trim_end().chars();
    shown.map(|character| if character.is_control() && character != '\t' { ' ' } else { character }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_is_given_nothing_to_obey() {
        for (written, shown) in [
            ("plain\twords, grün 🙂", "plain\twords, grün 🙂"),
            ("\u{1b}[2J\u{1b}[31mred\u{1b}[0m", "red"),
            ("\u{1b}]0;title\u{7}rest", "rest"),
            ("real\rforged", "real forged"),
            ("ends with CR\r", "ends with CR"),
            ("two\nlines", "two lines"),
            ("eight-bit \u{9b}2J", "eight-bit  2J"),
            ("", ""),
        ] {
            assert_eq!(printable(written), shown, "{written:?}");
        }
    }
}
