import { type Command, show } from "../command.ts";
import { reachDatabase } from "../reach.ts";

const url: Command = {
  words: ["db", "url"],
  summary: "how to reach the database with psql (holds its password)",
  run: async (given, surroundings) => {
    const answer = await reachDatabase(surroundings, ({ url: address, serving, config }) =>
      Promise.resolve({ url: address, reachable: serving || config.databaseUrl !== undefined }),
    );
    show(given, surroundings, { json: answer, lines: [answer.url] });
    if (!answer.reachable)
      surroundings.complain("suido: nothing listens there until the service runs: npm start");
    return 0;
  },
};

export const databaseCommands: readonly Command[] = [url];
