import { GateFolder } from "../../src/gate/folder.ts";
import { judgeGeneration, marksAfter } from "../../src/gate/generation.ts";
import { manifestOf } from "../../src/gate/manifest.ts";
import { BundleMaker, NOTHING_BEFORE } from "./bundles.ts";

/** Puts one generation after the other in place, until it is killed: node gate-writer.ts <folder>. */
const folder = new GateFolder(process.argv[2] ?? "");
folder.prepare();
folder.clean();
const made = new BundleMaker(new Date());
const generation = judgeGeneration(made.bundles(), NOTHING_BEFORE, made.judge());
const marks = marksAfter(new Map(), generation);
const manifest = manifestOf(generation, { at: made.now, marks, tags: undefined });
folder.place(generation, manifest, undefined);
process.stdout.write("writing\n");
for (;;) folder.place(generation, manifest, undefined);
