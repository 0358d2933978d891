// Order pages by how much they are about what is searched for: docs/conf.py has weighed the words of every page. Sphinx
// gives every page with a word the same score, and sections whose title it is up to 16.
const BEST = 18; // the score of the page that is most about it
let relevance = null; // {page: 0 to 1}

function weigh(query) {
  const stemmer = new Stemmer();
  const words = splitQuery(query.toLowerCase().trim()).map((word) => stemmer.stemWord(word));
  const sums = wordWeights.pages.map((_, i) => words.reduce((sum, word) => sum + (wordWeights.words[word]?.[i] ?? 1), 0));
  const most = Math.max(...sums, 1);
  return Object.fromEntries(wordWeights.pages.map((page, i) => [page, sums[i] / most]));
}

Scorer.score = ([page, , , , score, , kind]) => {
  if (kind !== "text" || typeof wordWeights === "undefined") return score;
  relevance ??= weigh(new URLSearchParams(location.search).get("q") ?? "");
  return BEST * (relevance[page] ?? 0);
};
