import js from "@eslint/js";
import globals from "globals";

export default [
  js.configs.recommended,
  {
    languageOptions: { ecmaVersion: 2024, sourceType: "module", globals: globals.browser },
    rules: {
      eqeqeq: "error",
      "no-shadow": "error",
      "no-var": "error",
      "prefer-const": "error",
      complexity: ["error", 10],
      "max-lines-per-function": ["error", { max: 70 }],
      "max-len": ["error", { code: 120, ignoreComments: false }],
    },
  },
  { files: ["*.config.js", "build.js", "tests/*.js"], languageOptions: { globals: globals.node } },
];
