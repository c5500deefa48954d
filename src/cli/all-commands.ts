import type { Command } from "./command.ts";
import { apiKeyCommands } from "./commands/api-key.ts";
import { auditCommands } from "./commands/audit.ts";
import { caCommands } from "./commands/ca.ts";
import { certificateCommands } from "./commands/certificate.ts";
import { databaseCommands } from "./commands/database.ts";
import { demoCommands } from "./commands/demo.ts";
import { gateCommands } from "./commands/gate.ts";
import { issuerCommands } from "./commands/issuer.ts";
import { rootCommands } from "./commands/root.ts";
import { rootSessionCommands } from "./commands/root-session.ts";
import { seedCommands } from "./commands/seed.ts";
import { serveCommands } from "./commands/serve.ts";

/** Every command of `suido`, in the order of the help. */
export const COMMANDS: readonly Command[] = [
  ...serveCommands,
  ...apiKeyCommands,
  ...certificateCommands,
  ...caCommands,
  ...issuerCommands,
  ...rootCommands,
  ...rootSessionCommands,
  ...auditCommands,
  ...databaseCommands,
  ...gateCommands,
  ...demoCommands,
  ...seedCommands,
];
