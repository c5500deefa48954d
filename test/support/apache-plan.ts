import type { ProxyPlan } from "./proxy.ts";

const MODULES = [
  "authz_core",
  "alias",
  "headers",
  "mpm_event",
  "proxy",
  "proxy_http",
  "socache_shmcb",
  "ssl",
];

/** What Debian's own configuration has besides. */
const FRAME = `ServerRoot "@FOLDER@"
ServerName localhost
PidFile "@FOLDER@/httpd.pid"
DefaultRuntimeDir "@FOLDER@"
Mutex pthread default
ErrorLog "@FOLDER@/error.log"
User nobody
Group nogroup
StartServers 1
${MODULES.map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`).join("\n")}
Include "@FOLDER@/recipe.conf"
`;

/** httpd with the files of this folder, and what else it is told. */
export const apacheCommand = (
  file: (name: string) => string,
  ...more: readonly string[]
): readonly string[] => ["/usr/sbin/apache2", "-f", file("httpd.conf"), ...more];

/** A plan for Apache httpd with one of our recipes, in surroundings of its own. */
export const apachePlan = (
  recipe: string,
  words: Readonly<Record<string, string>>,
  more: Partial<ProxyPlan> = {},
): ProxyPlan => ({
  recipe,
  words,
  files: { "httpd.conf": FRAME },
  command: (file) => apacheCommand(file, "-DFOREGROUND"),
  ...more,
});
