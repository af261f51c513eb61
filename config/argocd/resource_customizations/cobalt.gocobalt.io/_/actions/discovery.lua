local suspended = obj.spec ~= nil and obj.spec.suspend == true

local actions = {
  reconcile = {displayName = "Reconcile now", iconClass = "fa fa-fw fa-rotate", disabled = suspended},
}

-- Environments cannot be suspended, only the objects that use them.
if obj.kind ~= "Environment" and obj.kind ~= "ClusterEnvironment" then
  actions["suspend"] = {displayName = "Suspend", iconClass = "fa fa-fw fa-pause", disabled = suspended}
  actions["resume"] = {displayName = "Resume", iconClass = "fa fa-fw fa-play", disabled = not suspended}
end

-- A text that did not come from this action comes from Git, which would put it back at the next sync, and that would
-- fire once more.
if obj.kind == "EventTrigger" then
  local trigger = obj.spec.trigger or ""
  local ours = (obj.metadata.annotations or {})["cobalt.gocobalt.io/fire-requested-at"] or ""
  actions["fire-again"] = {
    displayName = "Fire again",
    iconClass = "fa fa-fw fa-bolt",
    disabled = suspended or trigger ~= ours,
  }
end

return actions
