// Six guided experiments: a question, guesses, what to do, and the answer beside what the reader has just seen.
//
// An action starts a new network with `settings`, takes `steps` steps and keeps the run; every slider stays in the
// reader's hands meanwhile. `shows` names the numbers that are laid side by side afterwards.

import { DEFAULTS } from "./settings.mjs";
import { whole } from "./words.mjs";

const TEN = { latentDim: 10, hidden: [128, 64] };

/** Return actions of `steps` steps each, one for every [label, name of the run, what its settings have of their own, and
 * what the reader is to have changed them to by the end]. */
const actions = (steps, common, runs) => runs.map(([label, name, own, ends]) =>
  ({ label, name, steps, settings: { ...DEFAULTS, ...common, ...own }, ends }));
const prices = (betas) => betas.map((beta) => [`Train with β = ${beta}`, `β = ${beta}`, { beta }]);

export const EXPERIMENTS = [
  {
    title: "Three prices of a code: β = 0, 12, 200",
    minutes: 3,
    question: "Three networks that differ only in β. The first pays nothing for its code, the second 12 for every nat of it, the third 200. Which of them draws good new digits from random codes?",
    guesses: ["β = 0, because it reconstructs best", "β = 12", "β = 200, because its codes are closest to a standard normal distribution", "All three, more or less"],
    watch: "Watch the plane, the reconstructions and the new digits.",
    shows: ["distortion", "rate"],
    actions: actions(400, {}, prices([0, 12, 200])),
    answer: [
      "At β = 0 the code is free. The distortion is the lowest of the three, and the rate has no limit: the codes spread far over the plane, with tiny σ. Random codes from the standard normal distribution all fall into a small part in the middle, so the new digits are broken, or of a few kinds only.",
      "At β = 12 every nat of code must save 12 nats of drawing. A nat or two is left: enough to say roughly what shape it is, and every random code gives something like a digit, if a blurred one.",
      "At β = 200 no nat is worth its price. The rate is 0, σ = 1 and μ = 0 for every digit, all dots lie in one heap, and the decoder can only draw the mean of all digits: look where its point has ended up in the rate–distortion plane.",
    ],
    sentence: "β is a price: at 0 the code is rich but nothing like the prior, at 200 there is no code at all.",
  },
  {
    title: "Sum or mean?",
    minutes: 2,
    question: "Many programs average the distortion over the 784 pixels instead of summing it. Two networks, β = 1 in both; the second one averages. What will its reconstructions look like?",
    guesses: ["The same: a constant factor does not matter", "A little blurrier", "All alike"],
    watch: "Watch the reconstructions and the rate of each unit.",
    shows: ["distortion", "rate", "active"],
    actions: actions(300, {}, [
      ["Train with the sum", "sum", {}],
      ["Train with the mean", "mean", { mean: true }],
    ]),
    answer: [
      "The distortion was divided by 784, the rate was not: D / 784 + β R = (D + 784 β R) / 784. Dividing a whole loss by 784 does not move its minimum, so what you trained is a VAE with β = 784.",
      "That is far above the β at which the code stops paying, about 32 for these digits. The rate falls to zero, no unit is active, and every digit comes back as the mean of all digits.",
    ],
    sentence: "If all your reconstructions look alike, check whether you averaged over pixels before you change anything else.",
  },
  {
    title: "A wall at ρ = 0",
    minutes: 3,
    question: "σ must be positive. Softplus makes it so by σ = log(1 + e^ρ); the direct map takes ρ, the encoder's raw output, almost as it is: σ = |ρ|. Both train by plain gradient descent on the loss of the project that this series follows, squared error + 12 R. What will the direct one do?",
    guesses: ["It learns just as well", "It learns, but more slowly", "It fails: a number stops being finite"],
    watch: "Watch the rate, and the line that appears under the bar. A cross marks a failure.",
    shows: ["distortion", "rate"],
    actions: actions(120, { ...TEN, likelihood: "gaussian", beta: 12, optimizer: "sgd", learningRate: 1e-4 }, [
      ["Train with softplus", "softplus", {}],
      ["Train with the direct map", "direct", { posterior: "direct" }],
      ["Direct again, another seed", "direct, seed 2", { posterior: "direct", seed: 2 }],
    ]),
    answer: [
      "The rate contains −log σ, and with σ = |ρ| its slope is −1/ρ. An untrained network answers with values of ρ on both sides of 0, and some of them are close to it: there the rate is large, its gradient is larger still, and one step throws the weights far away. Once they are far away, the squared error does the rest. Softplus learns slowly here, as plain gradient descent does, but all its numbers stay finite.",
      "Zero is a wall: a unit whose ρ must change its sign can only get to the other side by such a jump. Softplus has no wall: ρ may be any number.",
      "Try the direct map again with Adam, which divides each gradient by its own usual size: it often survives. Two seeds are an illustration, not a proof. Notebook 02 compares five maps over many seeds and three learning rates, with the rule for the verdict written above the results.",
    ],
    sentence: "A map from ρ to σ should not touch σ = 0 anywhere that ρ has to pass.",
  },
  {
    title: "Warm-up by hand",
    minutes: 4,
    question: "Ten numbers in the code, and β = 12 in the end. One network starts cold, with β = 12 from the first step. The other one starts with β = 0, and you raise β to 12 while it trains. Both take 900 steps. Which of them ends with the richer code, that is, with the larger rate?",
    guesses: ["The cold start", "The warmed one", "Both alike: only the last β counts"],
    watch: "Watch the rate. After the second button, press 0.1, 1, 4 and 12 below the slider, one of them every 100 steps or so; then leave it alone.",
    shows: ["distortion", "rate"],
    actions: actions(900, TEN, [
      ["Cold start at β = 12", "cold", { beta: 12 }],
      ["Start at β = 0 and raise it yourself", "warmed by hand", { beta: 0 }, { beta: 12 }],
    ]),
    answer: [
      "In the cold start the decoder cannot use the code yet, so a nat of it saves nothing and still costs twelve: the units are pressed towards the prior before they have learned to say anything, and win their nats back slowly.",
      "In the warmed run the units learn to speak while speech is free, and the rising price then takes away only what is not worth it. After the same number of steps its rate is larger and its distortion smaller. Both runs must end at 12 to be compared.",
      "Much of the difference is one of speed. Notebook 03 compares the two with three seeds after long training, where far less of it is left.",
    ],
    sentence: "A price that is asked before there is anything to sell makes the units say less than they could: raise β slowly.",
  },
  {
    title: "Overfitting with 500 digits",
    minutes: 3,
    question: "Two networks with ten numbers in the code take 600 steps each. One sees 10,000 digits, the other one the same 500 again and again. How will the second one's curves for training and held-out digits lie?",
    guesses: ["Close together, as for the first", "Training far below held-out", "Both high: it cannot learn from so few"],
    watch: "Watch the gap between the grey curve (training digits) and the blue one (held-out digits).",
    shows: ["elbo", "trainElbo"],
    actions: actions(600, TEN, [10000, 500].map((trainDigits) =>
      [`Train on ${whole(trainDigits)} digits`, `${whole(trainDigits)} digits`, { trainDigits }])),
    answer: [
      "On 10,000 digits the two curves stay within a few nats of each other. On 500 the training curve falls below that of the first network, while the held-out one stays far above it: the network gets better at these 500 digits, and much of what it learns is about them and not about digits.",
      "Judged by its training loss the second network would be the better one. Held-out digits show the opposite, and that is what they are for.",
      "Go on with Start: the gap keeps growing. Then raise the number of training digits to 10,000 while it trains, and watch the gap close: the grey curve jumps up at once, because it is now measured on other digits, too.",
    ],
    sentence: "The loss on training digits says how well a network remembers; only held-out digits say how well it has learned.",
  },
  {
    title: "How many units does β = 4 leave?",
    minutes: 3,
    question: "The code has room for ten numbers. At β = 4 a unit pays for itself only if each of its nats saves four nats of drawing; at β = 40 it must save forty. How many of the ten will still be active after 600 steps with β = 4?",
    guesses: ["All ten, each of them saying less", "About half", "One or two"],
    watch: "Watch the rate of each unit. A bar is lit while the mean μ of its unit still varies from digit to digit (a variance above 0.01).",
    shows: ["distortion", "rate", "active"],
    actions: actions(600, TEN, prices([1, 4, 40])),
    answer: [
      "Read the last column of your table, and the rate beside it. β = 4 takes away most of the rate of β = 1 and yet hardly silences a unit: a higher price makes every unit say less before it makes any of them fall silent. “Active” only asks whether a unit still says anything.",
      "β = 40 is above the price at which a code can pay for itself at all (about 32 for this likelihood, computed from the digits alone in notebook 03), and there all of it falls silent.",
      "So a count of active units needs the rates beside it. The bars give both.",
    ],
    sentence: "β = 4 makes the units speak less, it does not switch them off; that happens near the collapse.",
  },
];
