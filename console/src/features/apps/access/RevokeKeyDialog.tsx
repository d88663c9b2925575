import type { ApiKey } from "@/shared/api/types";
import { useText } from "@/shared/i18n";
import { Button } from "@/shared/ui/Button";
import { Dialog } from "@/shared/ui/Dialog";
import { ErrorNote } from "@/shared/ui/ErrorNote";
import { toast } from "@/shared/ui/Toast";
import { useRevokeKey } from "./api";

type Props = { appId: string; apiKey: ApiKey; onClose: () => void };

export function RevokeKeyDialog({ appId, apiKey, onClose }: Props) {
  const t = useText();
  const revoke = useRevokeKey(appId);
  const name = apiKey.name || t("access.keys.hint", { hint: apiKey.hint });
  const run = () =>
    revoke.mutate(apiKey.id, {
      onSuccess: () => {
        toast(t("access.keys.revoked", { name }));
        onClose();
      },
    });
  return (
    <Dialog
      isOpen
      onClose={onClose}
      width="narrow"
      title={t("access.keys.revokeTitle")}
      description={t("access.keys.revokeText", { name })}
      actions={
        <>
          <Button onClick={onClose}>{t("common.cancel")}</Button>
          <Button look="danger" busy={revoke.isPending} onClick={run}>
            {t("access.keys.revokeConfirm")}
          </Button>
        </>
      }
    >
      {revoke.error && <ErrorNote error={revoke.error} />}
    </Dialog>
  );
}
