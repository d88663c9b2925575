import { ChevronRight } from "lucide-react";
import type { ModelProvider } from "@/shared/api/types";
import { useLanguage, useText } from "@/shared/i18n";
import { Badge } from "@/shared/ui/Badge";
import { providerName } from "./providerName";

const DEMO = "demo";

type Props = { providers: readonly ModelProvider[]; onOpen: (id: string) => void };

/** One card per preset; those that are set up come first. */
export function ProviderGrid({ providers, onOpen }: Props) {
  const t = useText();
  const language = useLanguage();
  const sorted = [...providers].sort((a, b) => rank(a) - rank(b));
  return (
    <ul className="grid grid-cols-[repeat(auto-fill,minmax(min(260px,100%),1fr))] gap-3">
      {sorted.map((provider) => {
        const name = providerName(provider, language);
        return (
          <li key={provider.id}>
            <button
              type="button"
              onClick={() => onOpen(provider.id)}
              className="group flex h-full w-full items-center gap-3 rounded-card border border-line bg-s1 px-3 py-3 text-start transition-colors hover:border-line-strong"
            >
              <span
                aria-hidden="true"
                className="flex size-9 shrink-0 items-center justify-center rounded-control bg-s2 text-body font-semibold text-t2"
              >
                {Array.from(name)[0]?.toUpperCase()}
              </span>
              <span className="min-w-0 flex-1">
                <span className="line-clamp-2 text-body font-medium break-words text-t1">{name}</span>
                <span className="block text-label text-t3">{detail(provider)}</span>
              </span>
              {provider.is_configured && provider.id !== DEMO && <Badge tone="ok">{t("models.providers.ready")}</Badge>}
              {provider.id === DEMO && <Badge tone="info">{t("models.providers.builtIn")}</Badge>}
              <ChevronRight aria-hidden="true" size={16} className="shrink-0 text-t3 group-hover:text-t1" />
            </button>
          </li>
        );
      })}
    </ul>
  );

  function detail(provider: ModelProvider): string {
    if (provider.id === DEMO) return t("models.providers.demo");
    const count = provider.models.length;
    return count > 0 ? t("models.providers.models", { count }) : t("models.providers.anyModel");
  }
}

function rank(provider: ModelProvider): number {
  if (provider.id === DEMO) return 1;
  return provider.is_configured ? 0 : 2;
}
