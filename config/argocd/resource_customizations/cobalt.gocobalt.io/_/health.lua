-- The health of every kind of the group, after kstatus:
-- https://github.com/kubernetes-sigs/cli-utils/blob/master/pkg/kstatus/README.md
-- Where Argo CD reads it from argocd-cm, the libraries string and math are closed.

local status = obj.status or {}
local conditions = {}
for _, condition in ipairs(status.conditions or {}) do
  conditions[condition.type] = condition
end

local function is(type)
  return conditions[type] ~= nil and conditions[type].status == "True"
end

local function message(type, otherwise)
  local condition = conditions[type]
  if condition == nil or condition.message == nil or condition.message == "" then
    return otherwise
  end
  return condition.message
end

-- Of what is being deleted, Argo CD asks only for the health of hooks, which it holds until it knows how they ended.
-- Nobody is going to report on the generation that the deletion made.
local deleted = obj.metadata.deletionTimestamp ~= nil

if not deleted then
  if obj.spec.suspend == true then
    return {status = "Suspended", message = "Nothing is called while spec.suspend is true"}
  end
  -- The API server gives each new object the status {observedGeneration: -1}.
  if status.observedGeneration == nil or status.observedGeneration ~= obj.metadata.generation then
    return {status = "Progressing", message = "Waiting for the operator to see the latest spec"}
  end
end

if is("Stalled") then
  return {status = "Degraded", message = message("Stalled", "Stalled")}
end
if is("Ready") and not is("Reconciling") then
  return {status = "Healthy", message = message("Ready", "Ready")}
end
if deleted then
  return {status = "Degraded", message = "Deleted before it was Ready"}
end
return {status = "Progressing", message = message("Ready", "Waiting for the operator")}
