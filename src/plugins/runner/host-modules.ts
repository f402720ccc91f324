/**
 * The modules that a plugin imports without having them: the host's own "graphql" and "bobbin". Importing this file
 * provides them in the thread that does. Knows Bun's plugins only.
 */
import * as graphql from "graphql";
import * as sdk from "../define-plugin.ts";

/** What these parts of "graphql" offer is offered by the whole as well. */
const PARTS = ["error", "execution", "language", "type", "utilities", "validation"];
const HOST_MODULES = {
  graphql,
  bobbin: sdk,
  ...Object.fromEntries(PARTS.map((part) => [`graphql/${part}`, graphql])),
};

Bun.plugin({
  name: "bobbin host modules",
  setup(build) {
    for (const [name, exports] of Object.entries(HOST_MODULES)) {
      build.module(name, () => ({ exports: { ...exports, default: exports }, loader: "object" }));
    }
  },
});
