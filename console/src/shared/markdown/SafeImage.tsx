import { ExternalLink } from "lucide-react";
import { useText } from "@/shared/i18n";

function isOwn(src: string): boolean {
  try {
    return new URL(src, document.baseURI).origin === window.location.origin;
  } catch {
    return false;
  }
}

/** A picture of this server, or a link to one elsewhere: loading it would tell a stranger who reads this. */
export function SafeImage({ src, alt }: { src: string; alt: string }) {
  const t = useText();
  if (!src) return <span>{alt}</span>;
  if (isOwn(src)) return <img src={src} alt={alt} loading="lazy" className="max-h-96 max-w-full rounded-card" />;
  return (
    <a href={src} target="_blank" rel="noopener noreferrer nofollow" className="inline-flex items-center gap-1">
      <ExternalLink aria-hidden="true" size={14} />
      {alt || t("chat.markdown.image")}
    </a>
  );
}
