export { accept, meQuery, useMe, useSignOut, useUpdateMe } from "./api";
