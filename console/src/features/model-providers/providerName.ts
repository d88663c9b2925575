import type { ModelProvider } from "@/shared/api/types";
import type { Language } from "@/shared/i18n";

export function providerName(provider: ModelProvider, language: Language): string {
  return provider.name[language] ?? provider.name.en ?? provider.id;
}
