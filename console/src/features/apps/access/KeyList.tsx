import { useQuery } from "@tanstack/react-query";
import { KeyRound, Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import type { ApiKey } from "@/shared/api/types";
import { useText } from "@/shared/i18n";
import { formatDateTime, formatRelative } from "@/shared/i18n/format";
import { Button } from "@/shared/ui/Button";
import { EmptyState } from "@/shared/ui/EmptyState";
import { ErrorNote } from "@/shared/ui/ErrorNote";
import { IconButton } from "@/shared/ui/IconButton";
import { Section } from "@/shared/ui/Section";
import { Skeleton } from "@/shared/ui/Skeleton";
import { keysQuery } from "./api";
import { CreateKeyDialog } from "./CreateKeyDialog";
import { RevokeKeyDialog } from "./RevokeKeyDialog";

/** The keys of one app. A secret is seen once, in the dialog that made it. */
export function KeyList({ appId }: { appId: string }) {
  const t = useText();
  const { data: keys, error, refetch } = useQuery(keysQuery(appId));
  const [isCreating, setIsCreating] = useState(false);
  const [revoking, setRevoking] = useState<ApiKey | null>(null);
  const create = (
    <Button icon={<Plus aria-hidden="true" size={16} />} onClick={() => setIsCreating(true)}>
      {t("access.keys.create")}
    </Button>
  );
  return (
    <Section title={t("access.keys.title")} description={t("access.keys.text")} actions={keys?.length ? create : null}>
      {error && <ErrorNote error={error} onRetry={() => void refetch()} />}
      {!keys && !error && <Skeleton lines={2} />}
      {keys?.length === 0 && (
        <EmptyState
          icon={<KeyRound aria-hidden="true" size={26} strokeWidth={1.5} />}
          title={t("access.keys.empty")}
          actions={create}
        />
      )}
      {keys && keys.length > 0 && (
        <ul className="overflow-hidden rounded-card border border-line bg-s1">
          {keys.map((key) => (
            <li key={key.id} className="flex items-center gap-3 border-b border-line px-4 py-2.5 last:border-b-0">
              <KeyRound aria-hidden="true" size={16} className="shrink-0 text-t3" />
              <div className="min-w-0 flex-1">
                <p className="truncate text-body font-medium text-t1">{key.name || t("access.keys.unnamed")}</p>
                <p className="text-label text-t3" title={formatDateTime(key.created_at)}>
                  <span className="font-mono">{t("access.keys.hint", { hint: key.hint })}</span>
                  {" · "}
                  {key.last_used_at
                    ? t("access.keys.used", { when: formatRelative(key.last_used_at) })
                    : t("access.keys.unused")}
                </p>
              </div>
              <IconButton
                label={t("access.keys.revoke", { name: key.name || key.hint })}
                icon={<Trash2 aria-hidden="true" size={16} />}
                onClick={() => setRevoking(key)}
              />
            </li>
          ))}
        </ul>
      )}
      {isCreating && <CreateKeyDialog appId={appId} onClose={() => setIsCreating(false)} />}
      {revoking && <RevokeKeyDialog appId={appId} apiKey={revoking} onClose={() => setRevoking(null)} />}
    </Section>
  );
}
