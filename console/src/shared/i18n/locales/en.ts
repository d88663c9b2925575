import access from "./en/access.json";
import apps from "./en/apps.json";
import auth from "./en/auth.json";
import chat from "./en/chat.json";
import common from "./en/common.json";
import errors from "./en/errors.json";
import humans from "./en/humans.json";
import models from "./en/models.json";
import nodes from "./en/nodes.json";
import runs from "./en/runs.json";
import settings from "./en/settings.json";
import setup from "./en/setup.json";
import shell from "./en/shell.json";
import studio from "./en/studio.json";

export default {
  access,
  apps,
  auth,
  chat,
  common,
  errors,
  humans,
  models,
  nodes,
  runs,
  settings,
  setup,
  shell,
  studio,
};
