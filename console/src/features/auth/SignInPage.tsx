import { zodResolver } from "@hookform/resolvers/zod";
import { getRouteApi, useRouter } from "@tanstack/react-router";
import { useForm } from "react-hook-form";
import { z } from "zod/mini";
import { sitePath } from "@/shared/api/client";
import { useText } from "@/shared/i18n";
import { Button } from "@/shared/ui/Button";
import { ErrorNote } from "@/shared/ui/ErrorNote";
import { Field } from "@/shared/ui/Field";
import { Input } from "@/shared/ui/Input";
import { Welcome } from "@/shared/ui/Welcome";
import { useSignIn } from "./api";

const route = getRouteApi("/signin");
const schema = z.object({ email: z.email(), password: z.string().check(z.minLength(1)) });

export function SignInPage() {
  const t = useText();
  const router = useRouter();
  const { next } = route.useSearch();
  const signIn = useSignIn();
  const form = useForm({
    resolver: zodResolver(schema),
    mode: "onTouched",
    defaultValues: { email: "", password: "" },
  });
  const { errors } = form.formState;
  const goOn = () => {
    const path = safePath(next);
    if (path) router.history.push(`${sitePath}${path.slice(1)}`);
    else void router.navigate({ to: "/apps" });
  };
  const submit = form.handleSubmit((values) => signIn.mutate(values, { onSuccess: goOn }));
  return (
    <Welcome title={t("auth.title")}>
      <form noValidate onSubmit={submit} className="flex flex-col gap-4 rounded-dialog border border-line bg-s1 p-6">
        <Field label={t("auth.email")} error={errors.email && t("auth.invalidEmail")}>
          <Input type="email" autoComplete="username" autoFocus {...form.register("email")} />
        </Field>
        <Field label={t("auth.password")} error={errors.password && t("auth.emptyPassword")}>
          <Input type="password" autoComplete="current-password" {...form.register("password")} />
        </Field>
        {signIn.error && <ErrorNote error={signIn.error} />}
        <Button type="submit" look="primary" busy={signIn.isPending} className="mt-1 w-full">
          {t("auth.submit")}
        </Button>
      </form>
      <p className="mt-4 text-dense text-t3">{t("auth.forgot")}</p>
    </Welcome>
  );
}

/** Only addresses of this site are followed after sign-in; they leave out the path prefix. */
function safePath(next: string | undefined): string | undefined {
  return next?.startsWith("/") && !next.startsWith("//") && !next.startsWith("/\\") ? next : undefined;
}
