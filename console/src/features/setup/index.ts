export { setupQuery } from "./api";
