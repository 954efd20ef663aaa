// The console's start: views, dialogs, and who reads the metrics.

import { onRefused } from "./api.js";
import { Batches } from "./batches.js";
import { Cache } from "./cache.js";
import { askKeys, startDialogs } from "./dialogs.js";
import { Explain } from "./explain.js";
import { Files } from "./files.js";
import { key } from "./keys.js";
import { Models } from "./models.js";
import { Playground } from "./playground.js";
import { Traffic } from "./traffic.js";
import { startViews, view } from "./views.js";
import { Watch } from "./watch.js";

const watch = new Watch();
const playground = new Playground();
const views = {
  playground,
  explain: new Explain(playground),
  models: new Models(watch),
  cache: new Cache(watch),
  batches: new Batches(),
  files: new Files(),
  traffic: new Traffic(watch),
};

startDialogs();
// Who has typed no key is asked for one; a wrong one is told of where it was used.
onRefused(() => {
  if (!key("api")) askKeys();
});
for (const [name, each] of Object.entries(views)) {
  view(name, { open: each.open && (() => each.open()), close: each.close && (() => each.close()) });
}
startViews("playground");
watch.start();
