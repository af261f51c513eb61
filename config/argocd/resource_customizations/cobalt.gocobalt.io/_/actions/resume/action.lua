-- Taken away rather than false, so that the object is again as it is in Git.
obj.spec.suspend = nil
return obj
