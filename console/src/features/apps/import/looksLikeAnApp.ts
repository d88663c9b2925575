/** Whether pasted text is the file of an app rather than something else that was on the clipboard. */
export function looksLikeAnApp(text: string): boolean {
  return (
    /^["']?kind["']?\s*:/m.test(text) || (/^["']?app["']?\s*:/m.test(text) && /^\s+["']?mode["']?\s*:/m.test(text))
  );
}
