// The shapes of the network's weights: those of vae_lib.model.VAE, in Keras' order.

export const PIXELS = 784;

/** Return the layers in the order of Keras' weights: [{name, inputs, outputs, relu}]. */
export function layers({ latentDim, hidden }) {
  const chain = (name, widths) =>
    widths.slice(1).map((outputs, i) => ({ name: `${name}/hidden_${i + 1}`, inputs: widths[i], outputs, relu: true }));
  const top = hidden.length ? hidden[hidden.length - 1] : PIXELS;
  const back = [latentDim, ...hidden.slice().reverse()];
  return [
    ...chain("encoder", [PIXELS, ...hidden]),
    { name: "encoder/mu", inputs: top, outputs: latentDim, relu: false },
    { name: "encoder/rho", inputs: top, outputs: latentDim, relu: false },
    ...chain("decoder", back),
    { name: "decoder/logits", inputs: back[back.length - 1], outputs: PIXELS, relu: false },
  ];
}

/** Return [{name, shape}] of every weight, a kernel (inputs, outputs) and a bias (outputs) for each layer. */
export function weightShapes(settings) {
  return layers(settings).flatMap(({ name, inputs, outputs }) => [
    { name: `${name}/kernel`, shape: [inputs, outputs] },
    { name: `${name}/bias`, shape: [outputs] },
  ]);
}
