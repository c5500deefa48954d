import { rotateKek } from "../../src/ca/file-key-store.ts";
import { createSystem } from "../../src/cli/system.ts";

/** A change of the key-encryption key that is killed after so many keys: folder, file, number. */
const [, , folder = "", kekFile = "", kills = "1"] = process.argv;
let done = 0;
rotateKek({
  folder,
  kekFile,
  random: createSystem().random,
  onKey: () => {
    done += 1;
    if (done === Number(kills)) process.kill(process.pid, "SIGKILL");
  },
});
