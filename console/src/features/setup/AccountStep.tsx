import { zodResolver } from "@hookform/resolvers/zod";
import { useSuspenseQuery } from "@tanstack/react-query";
import { useForm } from "react-hook-form";
import { z } from "zod/mini";
import { useLanguage, useText } from "@/shared/i18n";
import { Button } from "@/shared/ui/Button";
import { ErrorNote } from "@/shared/ui/ErrorNote";
import { Field } from "@/shared/ui/Field";
import { Input } from "@/shared/ui/Input";
import { setupQuery, useCreateOwner } from "./api";

const MIN_PASSWORD = 8;
/** Letters and digits, as the server asks for. */
const GOOD_PASSWORD = /^(?=.*[a-zA-Z])(?=.*\d).+$/;

const schema = z.object({
  name: z.string(),
  email: z.email(),
  password: z.string().check(z.minLength(MIN_PASSWORD), z.regex(GOOD_PASSWORD)),
  code: z.string(),
});

export function AccountStep({ onDone }: { onDone: () => void }) {
  const t = useText();
  const language = useLanguage();
  const { data: setup } = useSuspenseQuery(setupQuery);
  const create = useCreateOwner();
  const form = useForm({
    resolver: zodResolver(schema),
    mode: "onTouched",
    defaultValues: { name: "", email: "", password: "", code: "" },
  });
  const { errors } = form.formState;
  const submit = form.handleSubmit((values) => {
    if (setup.needs_code && values.code.trim() === "") return form.setError("code", { type: "required" });
    const { name, code, ...account } = values;
    return create.mutate(
      { ...account, language, ...(name.trim() && { name: name.trim() }), ...(code && { code: code.trim() }) },
      { onSuccess: onDone },
    );
  });
  return (
    <form noValidate onSubmit={submit} className="flex flex-col gap-4 rounded-dialog border border-line bg-s1 p-6">
      {setup.needs_code && (
        <Field
          label={t("setup.account.code")}
          help={t("setup.account.codeHelp")}
          error={errors.code && t("setup.account.codeMissing")}
          isRequired
        >
          <Input isCode autoComplete="one-time-code" autoFocus {...form.register("code")} />
        </Field>
      )}
      <Field label={t("auth.email")} error={errors.email && t("auth.invalidEmail")} isRequired>
        <Input type="email" autoComplete="username" autoFocus={!setup.needs_code} {...form.register("email")} />
      </Field>
      <Field
        label={t("auth.password")}
        help={!errors.password && t("setup.account.passwordHelp", { count: MIN_PASSWORD })}
        error={errors.password && t("setup.account.passwordWeak", { count: MIN_PASSWORD })}
        isRequired
      >
        <Input type="password" autoComplete="new-password" {...form.register("password")} />
      </Field>
      <Field label={t("setup.account.name")}>
        <Input autoComplete="name" maxLength={100} {...form.register("name")} />
      </Field>
      {create.error && <ErrorNote error={create.error} />}
      <Button type="submit" look="primary" busy={create.isPending} className="mt-1 w-full">
        {t("setup.account.submit")}
      </Button>
    </form>
  );
}
