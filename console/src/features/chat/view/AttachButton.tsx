import { Paperclip } from "lucide-react";
import { useRef } from "react";
import { useText } from "@/shared/i18n";
import { Button } from "@/shared/ui/Button";
import { IconButton } from "@/shared/ui/IconButton";
import { Spinner } from "@/shared/ui/Spinner";
import { acceptOf } from "../model/files";
import type { UploadRules } from "../model/parameters";

type Props = {
  rules: UploadRules;
  isBusy: boolean;
  isFull: boolean;
  /** With words, where there is room for them. */
  isLabelled?: boolean;
  onPick: (files: File[]) => void;
};

export function AttachButton({ rules, isBusy, isFull, isLabelled = false, onPick }: Props) {
  const t = useText();
  const input = useRef<HTMLInputElement>(null);
  const shared = {
    icon: isBusy ? <Spinner /> : <Paperclip aria-hidden="true" size={isLabelled ? 16 : 18} />,
    disabled: isFull,
    onClick: () => input.current?.click(),
  };
  return (
    <>
      {isLabelled ? (
        <Button {...shared}>{t("chat.files.choose", { count: rules.limit })}</Button>
      ) : (
        <IconButton label={t("chat.files.attach")} {...shared} />
      )}
      <input
        ref={input}
        type="file"
        hidden
        aria-label={t("chat.files.attach")}
        multiple={rules.limit > 1}
        accept={acceptOf(rules)}
        onChange={(event) => {
          onPick([...(event.target.files ?? [])]);
          event.target.value = "";
        }}
      />
    </>
  );
}
