"""How much a page is about a word, and which words there are, for the search of the
website.
"""

import math
from collections import Counter

SAME = {  # words for one thing: a pattern that finds it, and what may be searched for
    "reparametri[sz]|reparameteri[sz]": [
        "reparametrization",
        "reparametrisation",
        "reparameterization",
        "reparameterisation",
        "reparametrized",
        "reparameterized",
    ],
    "\\bKL\\b|Kullback": ["KL", "Kullback", "Leibler"],
    "β|\\bbeta\\b": ["β", "beta"],
}

SHORT = 4  # letters of the shortest word that is suggested
COMMON = 3  # times that the site has a word which it suggests instead of a misspelt one


def suggestions(counts):
    """Return the words to suggest instead of misspelt ones, the most frequent first;
    `counts` of whole words is one for each page.
    """
    total = sum(counts, Counter())
    return [
        word for word, n in total.most_common() if n >= COMMON and len(word) >= SHORT
    ]


def weights(counts, stem):
    """Return {word: {number of a page: how much the page is about the word}}, for
    `counts` of words in the text, the headings and the title of each page.

    A weight grows with the count, less and less; headings count more, and a word that
    few pages have. Weights of 1 are left out.
    """
    for group in SAME.values():
        same = sorted({stem(word.lower()) for word in group})
        for part in (part for page in counts for part in page):
            together = sum(part[word] for word in same)
            part.update({word: together - part[word] for word in same})
    found = {}
    for word in sorted({word for page in counts for word in +page[0]}):
        having = sum(page[0][word] > 0 for page in counts)
        rare = math.log((len(counts) + 1) / having)
        for i, (text, headings, title) in enumerate(counts):
            weight = 30 * text[word] / (text[word] + 10)
            weight += 12 * min(headings[word], 2) + 15 * min(title[word], 1)
            if text[word] > 1 and (rounded := round(rare * weight)) > 1:
                found.setdefault(word, {})[i] = rounded
    return found
