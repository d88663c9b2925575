import { useQuery } from "@tanstack/react-query";
import { HardDrive } from "lucide-react";
import type { Discovered, ModelProvider } from "@/shared/api/types";
import { useLanguage, useText } from "@/shared/i18n";
import { formatList } from "@/shared/i18n/format";
import { Button } from "@/shared/ui/Button";
import { ErrorNote } from "@/shared/ui/ErrorNote";
import { discoverQuery, useSaveCredentials } from "./api";
import { providerName } from "./providerName";

type Props = { providers: readonly ModelProvider[]; onOpen: (id: string) => void };

/** Model servers that run on this machine and are not set up yet, each one press away. */
export function FoundServers({ providers, onOpen }: Props) {
  const { data: found = [] } = useQuery(discoverQuery);
  return found.map((server) => {
    const provider = providers.find((each) => each.id === server.provider);
    if (!provider || provider.is_configured) return null;
    return <FoundServer key={server.base_url} server={server} provider={provider} onOpen={onOpen} />;
  });
}

type FoundProps = { server: Discovered; provider: ModelProvider; onOpen: (id: string) => void };

function FoundServer({ server, provider, onOpen }: FoundProps) {
  const t = useText();
  const language = useLanguage();
  const save = useSaveCredentials(provider.id);
  const field = provider.fields.find((each) => each.name.includes("url"))?.name ?? "base_url";
  return (
    <div className="flex flex-col gap-3">
      <div className="flex flex-wrap items-center gap-3 rounded-card border border-ok bg-s1 px-4 py-3">
        <HardDrive aria-hidden="true" size={20} strokeWidth={1.75} className="shrink-0 text-ok" />
        <div className="min-w-0 flex-1">
          <p className="text-body font-medium text-t1">
            {t("models.found.title", { name: providerName(provider, language) })}
          </p>
          <p className="text-dense break-words text-t2">
            {server.models.length > 0
              ? t("models.found.models", { url: server.base_url, models: formatList(server.models.slice(0, 5)) })
              : t("models.found.empty", { url: server.base_url })}
          </p>
        </div>
        <Button
          busy={save.isPending}
          onClick={() => save.mutate({ [field]: server.base_url }, { onSuccess: () => onOpen(provider.id) })}
        >
          {t("models.found.use")}
        </Button>
      </div>
      {save.error && <ErrorNote error={save.error} />}
    </div>
  );
}
