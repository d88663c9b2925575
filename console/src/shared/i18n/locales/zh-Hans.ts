import access from "./zh-Hans/access.json";
import apps from "./zh-Hans/apps.json";
import auth from "./zh-Hans/auth.json";
import chat from "./zh-Hans/chat.json";
import common from "./zh-Hans/common.json";
import errors from "./zh-Hans/errors.json";
import humans from "./zh-Hans/humans.json";
import models from "./zh-Hans/models.json";
import nodes from "./zh-Hans/nodes.json";
import runs from "./zh-Hans/runs.json";
import settings from "./zh-Hans/settings.json";
import setup from "./zh-Hans/setup.json";
import shell from "./zh-Hans/shell.json";
import studio from "./zh-Hans/studio.json";

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
