//! Text that goes wrong wherever it is cut, escaped, joined or shown without care.

/// One token each. JSON holds whole characters, so that a character is never cut, but what people see as one is.
pub(crate) const PIECES: [&str; 40] = [
    "Hi ",
    // A family: three people and two joiners, apart.
    "👨",
    "\u{200d}",
    "👩",
    "\u{200d}👧",
    " ",
    // A thumb and its skin tone; a flag's two letters; an e and its accent.
    "👍",
    "🏽",
    " 🇩",
    "🇪 ",
    "e",
    "\u{301} ",
    // A keycap: digit, variation selector, enclosing mark.
    "1",
    "\u{fe0f}\u{20e3} ",
    // CJK, one character outside the basic plane among them, and Hangul in parts.
    "青",
    "い𠮷",
    "野家",
    "\u{1112}",
    "\u{1161}\u{11ab} ",
    // Right to left, with and without marks, and controls that turn the rest around if nothing ends them.
    "שלום ",
    "مرحبا ",
    "\u{202e}gnp.exe",
    "\u{202c}",
    "\u{2067}abc",
    "\u{2069}",
    // Every end of a line: alone, together, and apart in the middle of CR LF; then those that only Unicode knows.
    "a\r",
    "b\n",
    "c\r\n",
    "d\r",
    "\ne\n\n",
    "f\u{85}g\u{2028}h\u{2029}",
    // Lines of an event stream.
    "data: [DONE]\n",
    "\nevent: done\ndata: {}\n\n",
    ": comment\nid: 1\nretry: 0\n",
    // Controls, among them NUL, backspace, escape sequences of terminals, and DEL.
    "\0\u{1}\u{8}\u{c}\u{1b}[31mred\u{1b}[0m\u{7f}",
    // A byte-order mark amid the text, what cannot be shown, and what JSON and HTML escape.
    "\u{feff}",
    "\u{fffd}\u{fffe}\u{10ffff}",
    "\"quoted\\\" </script><!--",
    "&amp;<img src=x onerror=alert(1)>",
    " [link](javascript:alert(1)) ```",
];
