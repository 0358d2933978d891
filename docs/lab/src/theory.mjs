// What is known without training: the best linear VAE (Tipping and Bishop 1999; vae_lib.analysis.theory has the same).

/** Return {distortion, rate} of the best VAE without hidden layers, likelihood Gaussian, in nats per image. */
export function linearOptimum(eigenvalues, latentDim, beta) {
  const noise = beta / 2;
  let [distortion, rate] = [0, 0];
  eigenvalues.forEach((eigenvalue, i) => {
    if (i >= latentDim) distortion += eigenvalue;
    else if (eigenvalue <= noise) distortion += eigenvalue;
    else {
      distortion += noise;
      rate += Math.log(eigenvalue / noise) / 2;
    }
  });
  return { distortion, rate };
}

/** Return the curve of linear optima as [{distortion, rate, beta}] from a high beta to a low one. */
export function linearCurve(eigenvalues, latentDim) {
  const highest = 2 * eigenvalues[0];
  return Array.from({ length: 81 }, (_, i) => {
    const beta = highest * (1e-4) ** (i / 80);
    return { beta, ...linearOptimum(eigenvalues, latentDim, beta) };
  });
}
