"""Experiments for the training panel: predict first, then run, then compare. Notebook
01.
"""

# pairs: what to predict, and what happens with the panel's other settings left alone
EXPERIMENTS = (
    (
        "β from 1 to 12 to 200. What happens to the reconstructions, and to the map of "
        "codes?",
        "The more a nat of rate costs, the fewer are bought: about 6, 2 and 0. The "
        "reconstructions blur; at 200 each "
        "is the mean of all digits, every code lies at 0, and the held-out distortion "
        "is about 206 nats.",
    ),
    (
        "The latent dimension from 2 to 20. Which falls, distortion or rate? Do "
        "samples get better, too?",
        "The held-out distortion falls from about 154 to 92 nats, while the rate rises "
        "from 6 to 23. Reconstructions get "
        "sharp, samples do not: most random codes lie where no digit was put.",
    ),
    (
        "The learning rate from 0.001 to 0.03. Faster, or worse?",
        "Worse: the first steps throw the loss up to thousands of nats. It comes down "
        "again, but ends at a "
        "held-out −ELBO near 188 nats instead of 160.",
    ),
    (
        "β from 1 to 12 while the model trains. Which of the four curves answers "
        "first?",
        "The rates, within a few steps: a code gets cheaper as soon as it says less. "
        "The distortions rise more slowly, "
        "as the decoder learns to do with less.",
    ),
)


def experiments_html(experiments):
    """Return pairs of HTML (what to predict, what happens) as a list; the second part
    opens on demand.
    """
    items = "".join(
        f"<li>{question}<details><summary>What happens</summary>{answer}</details></li>"
        for question, answer in experiments
    )
    title = "Experiments: predict first, then press Start"
    return f"<details><summary><b>{title}</b></summary><ol>{items}</ol></details>"
