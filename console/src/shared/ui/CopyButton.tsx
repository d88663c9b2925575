import { Check, Copy } from "lucide-react";
import { useEffect, useState } from "react";
import { useText } from "@/shared/i18n";
import { copyText } from "@/shared/lib/clipboard";
import { Button } from "./Button";
import { IconButton } from "./IconButton";

type Props = { text: string; label?: string; isIcon?: boolean; look?: "plain" | "quiet" | "primary" };

/** Copies and says so for two seconds. */
export function CopyButton({ text, label, isIcon = false, look }: Props) {
  const t = useText();
  const [isCopied, setIsCopied] = useState(false);
  useEffect(() => {
    if (!isCopied) return;
    const timer = setTimeout(() => setIsCopied(false), 2000);
    return () => clearTimeout(timer);
  }, [isCopied]);
  const copy = async () => setIsCopied(await copyText(text));
  const icon = isCopied ? (
    <Check aria-hidden="true" size={16} className="text-ok" />
  ) : (
    <Copy aria-hidden="true" size={16} />
  );
  const name = isCopied ? t("common.copied") : (label ?? t("common.copy"));
  if (isIcon) return <IconButton label={name} icon={icon} size="compact" onClick={copy} />;
  return (
    <Button size="compact" look={look ?? "quiet"} icon={icon} onClick={copy}>
      {name}
    </Button>
  );
}
