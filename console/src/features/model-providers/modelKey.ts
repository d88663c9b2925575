import type { ModelRef } from "@/shared/api/types";

/** One string for a model; the provider's id holds no slash, the model's name may. */
export function modelKey({ provider, name }: ModelRef): string {
  return `${provider}/${name}`;
}

export function parseModelKey(key: string): ModelRef {
  const slash = key.indexOf("/");
  return { provider: key.slice(0, slash), name: key.slice(slash + 1) };
}
