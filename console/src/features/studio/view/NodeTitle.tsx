import { Check, Pencil, X } from "lucide-react";
import { type SyntheticEvent, useState } from "react";
import { problemText } from "@/shared/api/problem";
import { useText } from "@/shared/i18n";
import { IconButton } from "@/shared/ui/IconButton";
import { Input } from "@/shared/ui/Input";
import { useRenameNode } from "../api";
import type { GraphNode } from "../model/graph";

/** The name of a node, which can be changed in place. */
export function NodeTitle({ appId, node }: { appId: string; node: GraphNode }) {
  const t = useText();
  const [title, setTitle] = useState<string | null>(null);
  const rename = useRenameNode(appId);
  if (title === null) {
    return (
      <div className="flex items-start gap-1">
        <h2 className="min-w-0 text-body font-semibold wrap-anywhere text-t1">{node.title}</h2>
        <IconButton
          size="compact"
          label={t("studio.panel.rename")}
          icon={<Pencil aria-hidden="true" size={14} />}
          onClick={() => setTitle(node.title)}
          className="-my-1"
        />
      </div>
    );
  }
  const save = (event: SyntheticEvent) => {
    event.preventDefault();
    const name = title.trim();
    if (name === "" || rename.isPending) return;
    if (name === node.title) setTitle(null);
    else rename.mutate({ nodeId: node.id, title: name }, { onSuccess: () => setTitle(null) });
  };
  return (
    <form onSubmit={save} className="flex flex-col gap-1">
      <div className="flex items-center gap-1">
        <Input
          value={title}
          autoFocus
          maxLength={255}
          aria-label={t("studio.panel.name")}
          onChange={(event) => setTitle(event.target.value)}
          onKeyDown={(event) => event.key === "Escape" && setTitle(null)}
        />
        <IconButton
          type="submit"
          size="compact"
          label={t("common.save")}
          disabled={title.trim() === ""}
          icon={<Check aria-hidden="true" size={16} />}
        />
        <IconButton
          size="compact"
          label={t("common.cancel")}
          icon={<X aria-hidden="true" size={16} />}
          onClick={() => setTitle(null)}
        />
      </div>
      {rename.error && (
        <p role="alert" className="text-label text-err">
          {problemText(t, rename.error)}
        </p>
      )}
    </form>
  );
}
