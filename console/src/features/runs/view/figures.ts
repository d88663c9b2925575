import { formatNumber } from "@/shared/i18n/format";

/** A price with the digits that matter: most calls cost less than a cent. Null when nothing is known or it is free. */
export function formatPrice(price: string | number | null, currency: string | null): string | null {
  const amount = Number(price);
  if (price === null || !Number.isFinite(amount) || amount === 0) return null;
  return formatNumber(amount, {
    style: "currency",
    currency: currency || "USD",
    ...(amount < 1 ? { minimumSignificantDigits: 2, maximumSignificantDigits: 2 } : { maximumFractionDigits: 2 }),
  });
}
