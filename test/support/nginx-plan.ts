import { NGINX, NGINX_FRAME } from "./nginx.ts";
import type { ProxyPlan } from "./proxy.ts";

/** A plan for nginx with one of our recipes, in surroundings of its own. */
export function nginxPlan(
  recipe: string,
  words: Readonly<Record<string, string>>,
  more: Partial<ProxyPlan> = {},
): ProxyPlan {
  return {
    recipe,
    words: { USER: process.getuid?.() === 0 ? "user root;" : "", RESOLVER: "127.0.0.1", ...words },
    command: (file) => [NGINX, "-p", file(""), "-c", file("nginx.conf"), "-e", file("error.log")],
    ...more,
    files: { "nginx.conf": NGINX_FRAME, ...more.files },
  };
}
