-- Another text in spec.trigger is what fires again. The annotation tells that it came from here.
local os = require("os") -- Argo CD gives it no global name
local now = os.date("!%Y-%m-%dT%XZ")
if obj.metadata.annotations == nil then
  obj.metadata.annotations = {}
end
obj.metadata.annotations["cobalt.gocobalt.io/fire-requested-at"] = now
obj.spec.trigger = now
return obj
