// Six guided experiments: a question, guesses, what to do, and the answer beside what the reader has just seen.
//
// An action starts a new network with `settings`, takes `steps` steps and keeps the run; `by hand` leaves β to the reader.

const PLAIN = { latentDim: 2, hidden: [256, 128], posterior: "softplus", likelihood: "bernoulli", optimizer: "adam",
  beta: 1, learningRate: 1e-3, trainDigits: 10000, mean: false, seed: 1 };
const with_ = (changes) => ({ ...PLAIN, ...changes });

export const EXPERIMENTS = [
  {
    title: "Three prices of a code: β = 0, 12, 200",
    minutes: 3,
    question: "Three networks, the same but for β. One of them pays nothing for its code, one pays 12 for every nat, one pays 200. Which of them draws good new digits from random codes?",
    guesses: ["β = 0, because it reconstructs best", "β = 12", "β = 200, because its codes are closest to a standard normal distribution", "All three, more or less"],
    watch: "Watch the plane, the reconstructions and the new digits.",
    actions: [
      { label: "Train with β = 0", name: "β = 0", settings: with_({ beta: 0 }), steps: 400 },
      { label: "Train with β = 12", name: "β = 12", settings: with_({ beta: 12 }), steps: 400 },
      { label: "Train with β = 200", name: "β = 200", settings: with_({ beta: 200 }), steps: 400 },
    ],
    answer: [
      "At β = 0 the code is free. The distortion is the lowest of the three, and the rate has no limit: the codes spread far over the plane, with tiny σ. Random codes from the standard normal distribution all fall into the small middle of it, so that new digits show only a few kinds.",
      "At β = 12 every nat of code must save 12 nats of drawing. About two nats are left: enough to say roughly which digit it is, and every random code gives a digit, if a blurred one.",
      "At β = 200 no nat is worth its price. The rate is 0, σ = 1 and μ = 0 for every digit, all dots lie in one heap, and the decoder can only draw the mean of all digits: look where its point has ended in the rate–distortion plane.",
    ],
    sentence: "β is a price: at 0 the code is rich but not shared out like the prior, at 200 there is no code at all.",
  },
  {
    title: "Sum or mean?",
    minutes: 2,
    question: "Many programs average the distortion over the 784 pixels instead of summing it. Two networks, β = 1 in both; the second one averages. What will its reconstructions look like?",
    guesses: ["The same: a constant factor does not matter", "A little blurrier", "All alike"],
    watch: "Watch the reconstructions and the rate of each unit.",
    actions: [
      { label: "Train with the sum", name: "sum", settings: with_({}), steps: 300 },
      { label: "Train with the mean", name: "mean", settings: with_({ mean: true }), steps: 300 },
    ],
    answer: [
      "The distortion was divided by 784, the rate was not: D / 784 + β R = (D + 784 β R) / 784. Dividing a whole loss by 784 does not move its minimum, so that what has been trained is a VAE with β = 784.",
      "That is far above the β at which the code stops paying. The rate falls to zero, no unit is lit, and every digit comes back as the mean of all digits.",
    ],
    sentence: "If all your reconstructions look alike, check whether you averaged over pixels before you change anything else.",
  },
  {
    title: "A wall at ρ = 0",
    minutes: 3,
    question: "σ must be positive. Two maps make it so: softplus, σ = log(1 + e^ρ), and the direct one, σ = |ρ|, which is what you get from σ ⊙ ε without any map. Both train at a learning rate of 0.03. What will happen to the direct one?",
    guesses: ["It learns just as well", "It learns, but more slowly", "It fails: a number stops being finite, or the loss explodes"],
    watch: "Watch the rate, and the line under the title. A red cross marks a failure.",
    actions: [
      { label: "Train with softplus", name: "softplus", settings: with_({ latentDim: 10, learningRate: 0.03 }), steps: 200 },
      { label: "Train with the direct map", name: "direct", settings: with_({ latentDim: 10, learningRate: 0.03, posterior: "direct" }), steps: 200 },
      { label: "Direct again, another seed", name: "direct, seed 2", settings: with_({ latentDim: 10, learningRate: 0.03, posterior: "direct", seed: 2 }), steps: 200 },
    ],
    answer: [
      "The rate contains −log σ, and with σ = |ρ| its slope is 1/ρ. An untrained network answers with values of ρ on both sides of 0, so that some are close to it: there the rate is huge, its gradient is larger still, and one step throws the weights far away.",
      "Zero is a wall: a unit whose ρ must change its sign cannot get to the other side except by such a jump. Softplus has no wall, ρ may be any number.",
      "One learning rate and a few seeds are an illustration, not a proof. Notebook 02 runs five maps with many seeds and three learning rates, with the rule for the verdict written above the results.",
    ],
    sentence: "A map from ρ to σ should have no place where σ touches zero on its way.",
  },
  {
    title: "Warm-up by hand",
    minutes: 4,
    question: "Ten numbers in the code, and β = 8. One network starts cold, with β = 8 from the first step. The other one starts with β = 0, and you raise β yourself while it trains, up to 8. Which one ends with more active units?",
    guesses: ["The cold start", "The warmed one", "Both the same"],
    watch: "Watch the lit units. With the second button, training starts at β = 0: take about 20 seconds to bring the slider to 8 in small steps, then let it run to the end.",
    actions: [
      { label: "Cold start at β = 8", name: "cold, β = 8", settings: with_({ latentDim: 10, beta: 8 }), steps: 600 },
      { label: "Start at β = 0, you raise it", name: "warmed by hand", settings: with_({ latentDim: 10, beta: 0 }), steps: 900, byHand: true },
    ],
    answer: [],
    sentence: "",
  },
  {
    title: "Overfitting with 500 digits",
    minutes: 3,
    question: "Two networks with ten numbers in the code. One sees 10,000 digits, the other one the same 500 again and again, with the same number of steps. What will the curves of training and held-out digits do for the second one?",
    guesses: ["Both fall together", "Training falls, held-out falls and then rises", "Both stop early, at a high value"],
    watch: "Watch the gap between the grey curve, training, and the blue one, held-out digits.",
    actions: [
      { label: "Train on 10,000 digits", name: "10,000 digits", settings: with_({ latentDim: 10 }), steps: 600 },
      { label: "Train on 500 digits", name: "500 digits", settings: with_({ latentDim: 10, trainDigits: 500 }), steps: 600 },
    ],
    answer: [],
    sentence: "",
  },
  {
    title: "How many units does β = 4 leave?",
    minutes: 2,
    question: "The code has room for ten numbers. At β = 4 a unit pays for itself only if each of its nats saves four nats of drawing. How many of the ten will be active after 600 steps?",
    guesses: ["All ten", "Seven to nine", "Three to six", "One or two"],
    watch: "Watch the rate of each unit: lit bars are active.",
    actions: [
      { label: "Train with β = 1", name: "β = 1, ten units", settings: with_({ latentDim: 10, beta: 1 }), steps: 600 },
      { label: "Train with β = 4", name: "β = 4, ten units", settings: with_({ latentDim: 10, beta: 4 }), steps: 600 },
    ],
    answer: [],
    sentence: "",
  },
];
