"""What the front page and the side bar say of a notebook, read from the notebook
itself.
"""

import base64
import html
import json
import math
import re
import struct
from functools import cache

QUESTION = re.compile(
    r"\*\*The question:\s*(.+?)\*\*|\*\*Question[.:]\*\*\s*(.+?)\n\n", re.DOTALL
)
READ = re.compile(r"\babout\s+([\d½¼¾]+)\s+minutes\b", re.IGNORECASE)
RUN = re.compile(
    r"\babout\s+([\d½¼¾]+|an?|one|two|three|four|five)(?:\s+minutes?)?"
    r"(\s+and\s+a\s+half)?(?:\s+minutes?)?\s+to\s+run"
)
NUMBERS = {"a": "1", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5"}
FLAT, TALL = 0.38, 0.8  # height to width of pictures that suit a card


@cache
def opening(path):
    """Return the markdown of a notebook up to its first code cell."""
    texts = []
    for cell in json.loads(path.read_text("utf-8"))["cells"]:
        if cell["cell_type"] != "markdown":
            break
        texts.append("".join(cell["source"]))
    return "\n\n".join(texts) + "\n\n"


def title(path):
    """Return the first heading of a notebook."""
    found = re.search(r"^# (.+)$", opening(path), re.MULTILINE)
    return (
        re.sub(r"^(Solutions?\s*)?\d\d\s*[·:.]?\s*", "", found[1])
        if found
        else path.stem
    )


def png_size(data):
    """Return width and height of a PNG in base64."""
    return struct.unpack(">II", base64.b64decode(data[:64])[16:24])


def picture(path):
    """Return (data address, description) of the figure whose cell has the tag `card`,
    or of the richest that suits a card, or None.
    """
    best = None
    for cell in json.loads(path.read_text("utf-8"))["cells"]:
        chosen = "card" in cell["metadata"].get("tags", [])
        for output in cell.get("outputs", []):
            data = "".join(output.get("data", {}).get("image/png", "")).replace(
                "\n", ""
            )
            facts = output.get("metadata", {}).get("image/png", {})
            if data and "width" in facts:  # a figure, not what stands in for a widget
                width, height = png_size(data)
                suits = FLAT <= height / width <= TALL
                rich = math.inf if chosen else len(data) * suits
                if best is None or rich > best[0]:
                    best = rich, f"data:image/png;base64,{data}", facts.get("alt", "")
    return best and best[1:]


def card(path):
    """Return what the card of a notebook shows: number, title, question, minutes and
    picture.
    """
    text = opening(path)
    question, read, run = QUESTION.search(text), READ.search(text), RUN.search(text)
    words = " ".join((question[1] or question[2]).split()) if question else ""
    return {
        "stem": path.stem,
        "number": path.stem[:2],
        "title": html.escape(title(path)),
        "question": html.escape(words[:1].upper() + words[1:]),
        "read": read and read[1],
        "run": run and NUMBERS.get(run[1], run[1]) + "½" * bool(run[2]),
        "picture": picture(path),
    }
