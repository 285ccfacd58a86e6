/** First questions for a reader who has none. */
export const SUGGESTIONS: readonly string[] = [
  "Yo, name three colours that get along",
  "Explain black holes like I’m ten",
  "Pep talk before my interview?",
  "What’s a two-ingredient dinner?",
];
