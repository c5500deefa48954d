import type { Proxy, ProxyPlan } from "./proxy.ts";

/** What the test says besides the recipe: nginx's own surroundings, so that it touches nothing of the machine's. */
const FRAME = `daemon off;
pid @FOLDER@/nginx.pid;
error_log @FOLDER@/error.log info;
worker_processes 1;
@USER@
events {}
http {
  access_log off;
  client_body_temp_path @FOLDER@/tmp;
  proxy_temp_path @FOLDER@/tmp;
  fastcgi_temp_path @FOLDER@/tmp;
  uwsgi_temp_path @FOLDER@/tmp;
  scgi_temp_path @FOLDER@/tmp;
  include @FOLDER@/recipe.conf;
}
`;

/** nginx with the files of this folder, and what else it is told. Debian puts it where ordinary users do not look. */
const nginxCommand = (
  file: (name: string) => string,
  ...more: readonly string[]
): readonly string[] => {
  const files = ["-p", file(""), "-c", file("nginx.conf"), "-e", file("error.log")];
  return ["/usr/sbin/nginx", ...files, ...more];
};

/** What the recipes' heads say to give `suido gate`: nginx's own check first, then the reload. */
export const nginxReloads = (proxy: Proxy): string[] =>
  ["-t", "-s reload"].flatMap((more) => [
    "--reload",
    nginxCommand((name) => proxy.file(name), ...more.split(" ")).join(" "),
  ]);

/** A plan for nginx with one of our recipes, in surroundings of its own. */
export function nginxPlan(
  recipe: string,
  words: Readonly<Record<string, string>>,
  more: Partial<ProxyPlan> = {},
): ProxyPlan {
  return {
    recipe,
    words: { USER: process.getuid?.() === 0 ? "user root;" : "", RESOLVER: "127.0.0.1", ...words },
    command: (file) => nginxCommand(file),
    ...more,
    files: { "nginx.conf": FRAME, ...more.files },
  };
}
