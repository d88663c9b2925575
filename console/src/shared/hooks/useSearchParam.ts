import { useLocation, useNavigate } from "@tanstack/react-router";
import { useCallback } from "react";

type Name = "conversation" | "node" | "run";

/** One value of the address's query, kept there so that a link opens the same view. `null` removes it. */
export function useSearchParam(name: Name): [string | null, (value: string | null, isReplacing?: boolean) => void] {
  const value = useLocation({
    select: (location) => {
      const search: Record<string, unknown> = location.search;
      const found = search[name];
      return typeof found === "string" || typeof found === "number" ? String(found) : null;
    },
  });
  const navigate = useNavigate();
  const set = useCallback(
    (next: string | null, isReplacing = false) => {
      void navigate({
        to: ".",
        search: (before: Record<string, unknown>) => ({ ...before, [name]: next ?? undefined }),
        replace: isReplacing,
      });
    },
    [name, navigate],
  );
  return [value, set];
}
