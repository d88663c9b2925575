import { useQuery } from "@tanstack/react-query";
import { ExternalLink } from "lucide-react";
import { useState } from "react";
import type { ModelProvider } from "@/shared/api/types";
import { useLanguage, useText } from "@/shared/i18n";
import { Dialog } from "@/shared/ui/Dialog";
import { Notice } from "@/shared/ui/Notice";
import { AddModel } from "./AddModel";
import { discoverQuery } from "./api";
import { CredentialForm } from "./CredentialForm";
import { ProviderModels } from "./ProviderModels";
import { providerName } from "./providerName";

type Props = {
  provider: ModelProvider;
  onClose: () => void;
  /** Called once the provider has credentials and at least one model. */
  onReady?: (provider: ModelProvider) => void;
};

/** Everything about one provider: its key with a live test, and its models. */
export function ProviderDialog({ provider, onClose, onReady }: Props) {
  const t = useText();
  const language = useLanguage();
  const [listed, setListed] = useState<readonly string[]>([]);
  const { data: found = [] } = useQuery(discoverQuery);
  const local = found.find((server) => server.provider === provider.id);
  const isDemo = provider.id === "demo";
  return (
    <Dialog
      isOpen
      onClose={onClose}
      holdsInput={!isDemo}
      title={providerName(provider, language)}
      description={
        provider.help_url && (
          <a
            href={provider.help_url}
            target="_blank"
            rel="noopener noreferrer"
            className="inline-flex items-center gap-1 text-accent hover:underline"
          >
            {t("models.dialog.help")}
            <ExternalLink aria-hidden="true" size={14} />
          </a>
        )
      }
    >
      <div className="flex flex-col gap-6 pb-5">
        {isDemo ? (
          <Notice>{t("models.dialog.demo")}</Notice>
        ) : (
          <CredentialForm
            provider={provider}
            localUrl={local?.base_url}
            onListed={setListed}
            onSaved={() => provider.models.length > 0 && onReady?.(provider)}
          />
        )}
        <ProviderModels provider={provider} />
        {provider.is_configured && !isDemo && (
          <AddModel
            provider={provider}
            suggestions={listed.length > 0 ? listed : (local?.models ?? [])}
            onAdded={() => onReady?.(provider)}
          />
        )}
      </div>
    </Dialog>
  );
}
