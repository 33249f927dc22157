-- Licences and permissions of what is kept
select licence, permission, source, count(*) as rows from corpus group by all order by rows desc
