-- Damaged pieces of input, with file and line
select source, location, reason, detail from rejections where is_fault order by source, location
