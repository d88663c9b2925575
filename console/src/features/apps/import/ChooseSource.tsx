import { FileUp } from "lucide-react";
import { useRef, useState } from "react";
import { useText } from "@/shared/i18n";
import { Button } from "@/shared/ui/Button";
import { Field } from "@/shared/ui/Field";
import { Tabs } from "@/shared/ui/Tabs";
import { TextArea } from "@/shared/ui/TextArea";
import type { ImportFlow } from "./useImportFlow";

/** A file from the disk, or the text of one. Dropping works on the whole page. */
export function ChooseSource({ flow }: { flow: ImportFlow }) {
  const t = useText();
  const [tab, setTab] = useState<"file" | "text">("file");
  return (
    <div className="pb-4">
      <Tabs
        label={t("apps.import.sources")}
        value={tab}
        onChange={setTab}
        tabs={[
          { value: "file", label: t("apps.import.fromFile"), panel: <FromFile flow={flow} /> },
          { value: "text", label: t("apps.import.fromText"), panel: <FromText flow={flow} /> },
        ]}
      />
    </div>
  );
}

function FromFile({ flow }: { flow: ImportFlow }) {
  const t = useText();
  const picker = useRef<HTMLInputElement>(null);
  return (
    <div className="flex flex-col items-center gap-3 rounded-card border border-dashed border-line-strong px-6 py-10 text-center">
      <FileUp aria-hidden="true" size={32} strokeWidth={1.5} className="text-t3" />
      <p className="max-w-sm text-body text-t2">{t("apps.import.fileHint")}</p>
      <input
        ref={picker}
        type="file"
        accept=".yml,.yaml,.json"
        aria-label={t("apps.import.pick")}
        tabIndex={-1}
        className="sr-only"
        onChange={(event) => {
          const file = event.target.files?.[0];
          event.target.value = "";
          if (file) void flow.importFile(file);
        }}
      />
      <Button look="primary" onClick={() => picker.current?.click()}>
        {t("apps.import.pick")}
      </Button>
    </div>
  );
}

function FromText({ flow }: { flow: ImportFlow }) {
  const t = useText();
  const [content, setContent] = useState("");
  return (
    <form
      className="flex flex-col gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        flow.importText({ name: t("apps.import.pasted"), content });
      }}
    >
      <Field label={t("apps.import.textLabel")}>
        <TextArea isCode rows={10} value={content} onChange={(event) => setContent(event.target.value)} />
      </Field>
      <Button type="submit" look="primary" className="self-end" disabled={content.trim() === ""}>
        {t("apps.import.start")}
      </Button>
    </form>
  );
}
