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

// -- where nothing is found: words that are nearly the same

const SUGGESTED = 3;

// The fewest letters to add, drop, change or swap with the next one that make one word of the other.
function edits(one, other) {
  const rows = [Array.from({ length: other.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= one.length; i++) {
    rows.push([i]);
    for (let j = 1; j <= other.length; j++) {
      const same = one[i - 1] === other[j - 1];
      rows[i].push(Math.min(rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + (same ? 0 : 1)));
      const swapped = i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1];
      if (swapped) rows[i][j] = Math.min(rows[i][j], rows[i - 2][j - 2] + 1);
    }
  }
  return rows.at(-1).at(-1);
}

// The words of the site that are nearest to a misspelt one; of equally near ones the most frequent comes first.
function nearest(word) {
  const most = Math.max(1, Math.floor(word.length / 4));
  const found = wordWeights.suggestions.map((known) => [edits(word, known), known]).filter(([far]) => far <= most);
  return found.sort(([far], [farther]) => far - farther).slice(0, SUGGESTED).map(([, known]) => known);
}

function suggestionsFor(query) {
  const known = new Set(Object.keys(Search._index.terms));
  const stemmer = new Stemmer();
  const choices = splitQuery(query.toLowerCase()).map((word) => (known.has(stemmer.stemWord(word)) ? [word] : nearest(word)));
  if (choices.some((words) => !words.length)) return [];
  const phrases = Array.from({ length: SUGGESTED }, (_, i) => choices.map((words) => words[i] ?? words[0]).join(" "));
  return [...new Set(phrases)].filter((phrase) => phrase !== query.toLowerCase().trim());
}

function sayNothingFound(query) {
  const links = suggestionsFor(query).map((phrase) => {
    const link = document.createElement("a");
    link.href = `?q=${encodeURIComponent(phrase)}`;
    link.textContent = phrase;
    return link;
  });
  const { status } = Search;
  if (links.length) {
    status.textContent = `No page has “${query}”. Did you mean `;
    links.forEach((link, i) => status.append(i === 0 ? "" : i === links.length - 1 ? " or " : ", ", link));
    status.append("?");
  } else status.textContent = `No page has “${query}”. Try fewer or more general words, or look through the glossary.`;
}

const found = Search.query;
Search.query = (query) => {
  found(query);
  if (!Search.output.children.length) sayNothingFound(query);
};
