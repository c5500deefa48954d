import type { ProxyPlan } from "./proxy.ts";

/** A plan for stunnel with one of our recipes, in the foreground. */
export function stunnelPlan(
  recipe: string,
  words: Readonly<Record<string, string>>,
  more: Partial<ProxyPlan> = {},
): ProxyPlan {
  const edit = more.edit ?? ((text: string) => text);
  return {
    recipe,
    words,
    command: (file) => ["/usr/bin/stunnel4", file("recipe.conf")],
    ...more,
    edit: (text) => `foreground = yes\npid =\n${edit(text)}`,
  };
}
