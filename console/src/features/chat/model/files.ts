import type { UploadRules } from "./parameters";

export type FileKind = "image" | "document" | "audio" | "video" | "custom";

/** A file that was uploaded and can be sent along. */
export type ChatFile = { id: string; name: string; kind: FileKind; sizeBytes: number };

const EXTENSIONS: Record<Exclude<FileKind, "custom">, string[]> = {
  image: ["jpg", "jpeg", "png", "webp", "gif", "svg"],
  video: ["mp4", "mov", "mpeg", "webm"],
  audio: ["mp3", "m4a", "wav", "amr", "mpga"],
  document: [
    ...["txt", "markdown", "md", "mdx", "pdf", "html", "htm", "xlsx", "xls", "vtt", "properties", "doc", "docx"],
    ...["csv", "eml", "msg", "ppt", "pptx", "xml", "epub", "odt", "json", "yaml", "yml"],
  ],
};

export function kindOfFile(name: string): FileKind {
  const extension = name.split(".").pop()?.toLowerCase() ?? "";
  if (EXTENSIONS.image.includes(extension)) return "image";
  if (EXTENSIONS.video.includes(extension)) return "video";
  if (EXTENSIONS.audio.includes(extension)) return "audio";
  return EXTENSIONS.document.includes(extension) ? "document" : "custom";
}

/** What the file dialog offers, as the `accept` of an input; undefined when everything goes. */
export function acceptOf({ types, extensions }: UploadRules): string | undefined {
  const named = types.flatMap((type) =>
    type === "image" || type === "video" || type === "audio" || type === "document" ? EXTENSIONS[type] : [],
  );
  const all = [...named, ...extensions.map((extension) => extension.replace(/^\./, "").toLowerCase())];
  return all.length > 0 ? all.map((extension) => `.${extension}`).join(",") : undefined;
}

/** The file as a run's inputs refer to it. */
export function fileReference(file: ChatFile) {
  return { type: file.kind, transfer_method: "local_file", upload_file_id: file.id };
}
