local os = require("os") -- Argo CD gives it no global name
if obj.metadata.annotations == nil then
  obj.metadata.annotations = {}
end
obj.metadata.annotations["cobalt.gocobalt.io/reconcile-requested-at"] = os.date("!%Y-%m-%dT%XZ")
return obj
